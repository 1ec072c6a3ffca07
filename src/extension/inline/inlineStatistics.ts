import type { InlineMeasurement } from '../../protocol/inline.js';

/** What became of suggestions, counted on this machine only and sent nowhere. */
export interface InlineCounts {
  readonly offered: number;
  readonly fromCache: number;
  readonly accepted: number;
  readonly partlyAccepted: number;
  readonly acceptedCharacters: number;
}

export const noCounts: InlineCounts = { offered: 0, fromCache: 0, accepted: 0, partlyAccepted: 0, acceptedCharacters: 0 };

interface Offer { readonly id: number; readonly uri: string; readonly text: string; partly: boolean; done: boolean }

/**
 * Follows the newest suggestion. VS Code tells a provider about whole acceptances only; a word or line of it is recognised by what
 * is inserted: more than a person types at once, and exactly how the suggestion goes on.
 */
export class InlineStatistics {
  private offer: Offer | undefined;
  private nextId = 1;

  constructor(private current: InlineCounts, private readonly onChanged: (counts: InlineCounts) => void) {}

  get counts(): InlineCounts {
    return this.current;
  }

  /** Returns the id of the offer, for its acceptance. */
  offered(uri: string, text: string): number {
    const { offer } = this;
    const continued = offer !== undefined && offer.uri === uri && !offer.done && offer.text.endsWith(text);
    const id = this.nextId++;
    this.offer = { id, uri, text, partly: continued && offer.partly, done: false };
    if (!continued) this.add({ offered: 1 });
    return id;
  }

  measured(measurement: InlineMeasurement): void {
    if (measurement.shown && measurement.source === 'cache') this.add({ fromCache: 1 });
  }

  accepted(id: number): void {
    const { offer } = this;
    if (offer?.id !== id || offer.done) return;
    offer.done = true;
    this.add({ accepted: 1, acceptedCharacters: offer.text.length });
  }

  /** Text was inserted into a document by one change. */
  inserted(uri: string, text: string): void {
    const { offer } = this;
    if (offer === undefined || offer.uri !== uri || offer.done) return;
    if (text.length < 2 || !/\w/u.test(text) || text.length >= offer.text.length || !offer.text.startsWith(text)) return;
    const first = !offer.partly;
    this.offer = { ...offer, text: offer.text.slice(text.length), partly: true };
    this.add({ partlyAccepted: first ? 1 : 0, acceptedCharacters: text.length });
  }

  private add(more: Partial<InlineCounts>): void {
    const { current } = this;
    this.current = {
      offered: current.offered + (more.offered ?? 0),
      fromCache: current.fromCache + (more.fromCache ?? 0),
      accepted: current.accepted + (more.accepted ?? 0),
      partlyAccepted: current.partlyAccepted + (more.partlyAccepted ?? 0),
      acceptedCharacters: current.acceptedCharacters + (more.acceptedCharacters ?? 0),
    };
    this.onChanged(this.current);
  }
}
