const sizeLine = /llama_kv_cache: size = +([\d.]+) MiB .*K \((\w+)\): .*V \((\w+)\):/;

/** What llama.cpp says it allocated for KV caches, read from its log while a context is created. */
export class KvLog {
  private mebibytes = 0;
  private readonly keys = new Set<string>();
  private readonly values = new Set<string>();

  feed(message: string): void {
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
