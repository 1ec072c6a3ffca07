/** Ends the process when nobody needs it: some seconds after the last client left, or when none ever came. */
export class Lifetime {
  private clients = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly idleMs: number, private readonly end: () => void) {
    this.wait();
  }

  get count(): number {
    return this.clients;
  }

  joined(): void {
    this.clients++;
    clearTimeout(this.timer);
  }

  left(): void {
    this.clients--;
    if (this.clients === 0) this.wait();
  }

  private wait(): void {
    this.timer = setTimeout(this.end, this.idleMs);
  }
}
