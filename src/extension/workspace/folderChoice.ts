import type { Disposable } from '../../base/disposable.js';
import { DisposableStore } from '../../base/disposable.js';
import { Emitter, type Event } from '../../base/event.js';

export interface OpenFolder { readonly uri: string; readonly name: string }

/** What the window says about its folders. Files on disk only. */
export interface WindowFolders {
  /** In the order of the workspace. */
  open(): readonly OpenFolder[];
  /** The folder of the active editor's file; undefined where that is no file of a folder. */
  active(): string | undefined;
  readonly onDidChange: Event<void>;
}

/** Keeps the user's choice for this window, over reloads. */
export interface ChoiceMemory { get(): string | undefined; set(folder: string | undefined): Thenable<void> | Promise<void> }

/**
 * Which of several open folders a new chat works in: the one that the user chose, else that of the file they looked at last, else
 * the first. A diff or a view in front changes nothing: only files of a folder count.
 */
export class FolderChoice implements Disposable {
  private readonly disposables = new DisposableStore();
  private readonly changed = this.disposables.add(new Emitter<void>());
  readonly onDidChange = this.changed.event;
  private lastActive: string | undefined;

  constructor(private readonly window: WindowFolders, private readonly memory: ChoiceMemory) {
    this.lastActive = window.active();
    this.disposables.add(window.onDidChange(() => {
      this.lastActive = window.active() ?? this.lastActive;
      this.changed.fire();
    }));
  }

  get all(): readonly OpenFolder[] {
    return this.window.open();
  }

  /** The folder that the user chose; undefined while the editor decides. */
  get chosen(): OpenFolder | undefined {
    return this.find(this.memory.get());
  }

  /** Where a new chat works. Undefined when no folder is open. */
  get current(): OpenFolder | undefined {
    return this.chosen ?? this.find(this.window.active() ?? this.lastActive) ?? this.all[0];
  }

  find(uri: string | undefined): OpenFolder | undefined {
    return uri === undefined ? undefined : this.all.find((folder) => folder.uri === uri);
  }

  /** Undefined gives the choice back to the editor. */
  async choose(uri: string | undefined): Promise<void> {
    await this.memory.set(uri);
    this.changed.fire();
  }

  dispose(): void {
    this.disposables.dispose();
  }
}
