const integers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 24171 -> "24,171". */
export const formatCount = (n: number): string => integers.format(n);

/** Token counts where space is short: 24112 -> "24.1k", 812 -> "812". */
export function formatTokensShort(n: number): string {
  if (n < 1000) return String(Math.round(n));
  if (n < 999_500) return `${trimZero((n / 1000).toFixed(n < 99_950 ? 1 : 0))}k`;
  return `${trimZero((n / 1_000_000).toFixed(1))}M`;
}

/** Milliseconds as people read them: "41 ms", "0.62 s", "12.4 s", "2 min 5 s". */
export function formatDuration(ms: number): string {
  if (ms < 0.5) return '0 ms';
  if (ms < 100) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Where figures are compared with one another: "0 ms", "2,165 ms", and beyond ten seconds as {@link formatDuration}. */
export const formatMilliseconds = (ms: number): string => (ms < 10_000 ? `${formatCount(ms)} ms` : formatDuration(ms));

/** Bytes, decimal kilobytes as in file managers: "38 B", "1.9 kB". */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  if (bytes < 1_000_000) return `${trimZero((bytes / 1000).toFixed(1))} kB`;
  return `${trimZero((bytes / 1_000_000).toFixed(1))} MB`;
}

/** Memory, binary units: "91 MiB". */
export function formatMemory(bytes: number): string {
  if (bytes < 1024 ** 2) return `${trimZero((bytes / 1024).toFixed(1))} KiB`;
  if (bytes < 1024 ** 3) return `${Math.round(bytes / 1024 ** 2)} MiB`;
  return `${trimZero((bytes / 1024 ** 3).toFixed(2))} GiB`;
}

/** A share 0..1 as "99.6 %"; never rounded up to 100 when something is missing. */
export function formatShare(part: number, whole: number): string {
  if (whole <= 0) return '';
  if (part >= whole) return '100 %';
  return `${(Math.floor((part / whole) * 1000) / 10).toFixed(1)} %`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${formatCount(n)} ${n === 1 ? one : many}`;
}

/** How long ago, for the history list. Both in epoch milliseconds. */
export function formatAgo(then: number, now: number): string {
  const minutes = Math.floor(Math.max(0, now - then) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ago`;
  const days = Math.floor(hours / 24);
  if (days < 30) return plural(days, 'day') + ' ago';
  return new Date(then).toISOString().slice(0, 10);
}

function trimZero(text: string): string {
  return text.endsWith('.0') ? text.slice(0, -2) : text.endsWith('.00') ? text.slice(0, -3) : text;
}
