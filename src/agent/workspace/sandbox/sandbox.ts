/** A command line that runs a command confined to a folder, and what to do when it has ended. */
export interface Confined {
  readonly program: string;
  readonly args: readonly string[];
  /** Cleans up. Gives the protected files that the command made where there were none: a sandbox cannot keep it from that. */
  leave(): Promise<readonly string[]>;
}

/** Confines commands: they write in one folder only, read no credentials, and have the network only where that is said. */
export interface Sandbox {
  /** Why it does not work on this machine, a sentence; undefined: it works. Asked once. */
  problem(): Promise<string | undefined>;
  /** Throws where the folder cannot be confined. */
  confine(root: string, command: string, network: boolean): Promise<Confined>;
}
