import type { Event } from '../base/event.js';

/** Workspace Trust as the extension's parts see it. Asked in code wherever a process would start or a connection open. */
export interface Trust {
  readonly granted: boolean;
  readonly onGranted: Event<void>;
}
