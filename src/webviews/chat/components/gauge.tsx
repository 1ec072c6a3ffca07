import type { JSX } from 'preact';
import type { ContextGauge } from '../../../protocol/views.js';
import { formatCount } from '../../shared/format.js';

/** How full the context is: the cached part and the part that would have to be read. */
export function Gauge({ context: { used, cached, size } }: { readonly context: ContextGauge }): JSX.Element | null {
  if (size <= 0) return null;
  const percent = Math.min(100, Math.round((used / size) * 100));
  const cachedPercent = Math.min(percent, (cached / size) * 100);
  const text = `${formatCount(used)} of ${formatCount(size)} tokens of context in use, ${formatCount(cached)} of them cached`;
  return (
    <span class="gauge" role="img" aria-label={text} title={text}>
      <span class="wide-only">context </span>
      <span class="gauge-track">
        <span class="gauge-cached" style={{ width: `${cachedPercent}%` }} />
        <span class={percent >= 90 ? 'gauge-read full' : 'gauge-read'} style={{ width: `${percent - cachedPercent}%` }} />
      </span>
      <span class="number"> {percent} %</span>
    </span>
  );
}
