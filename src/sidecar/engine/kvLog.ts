/** How our engine says that it cannot compress the cache of a model; see native/engine and native/patches. */
const refusalLine = /(compressed cache types need [^\n]+|cache types \S+ and \S+ cannot be used together)/;
/** Before the first compressed cache of a model, the engine has a short-lived one of its own (native/engine/llama-kv-measure.h): this ends it. */
const measuredLine = /kv_measure: queries and keys measured/;
const sizeLine = /llama_kv_cache: size = +([\d.]+) MiB .*K \((\w+)\): .*V \((\w+)\):/;

/** What llama.cpp says it allocated for KV caches, read from its log while a context is created. */
export class KvLog {
  private mebibytes = 0;
  private readonly keys = new Set<string>();
  private readonly values = new Set<string>();

  /** Why the engine does not compress the cache of this model. */
  refusal: string | undefined;

  feed(message: string): void {
    this.refusal ??= refusalLine.exec(message)?.[1];
    if (measuredLine.test(message)) {
      this.mebibytes = 0;
      this.keys.clear();
      this.values.clear();
    }
    const match = sizeLine.exec(message);
    if (!match?.[1] || !match[2] || !match[3]) return;
    this.mebibytes += Number(match[1]);
    this.keys.add(match[2]);
    this.values.add(match[3]);
  }

  /** Undefined when the engine said nothing that we understand. Bytes are exact to 0.01 MiB per cache. */
  get allocated(): { readonly bytes: number; readonly keys: readonly string[]; readonly values: readonly string[] } | undefined {
    if (this.mebibytes === 0) return undefined;
    return { bytes: Math.round(this.mebibytes * 1024 * 1024), keys: [...this.keys], values: [...this.values] };
  }
}
