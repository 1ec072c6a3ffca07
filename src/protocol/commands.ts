/**
 * The one table of commands. package.json repeats the visible ones; a test compares both, in both directions.
 * `offline` names how the same thing is had without VS Code, where it can be.
 */
export interface CommandDefinition {
  readonly title: string;
  /** false: registered, but not shown in the command palette (called by views and menus). */
  readonly palette: boolean;
  readonly icon?: string;
  readonly offline?: string;
}

export const commands = {
  'loupe.ask': { title: 'Ask About This Repository', palette: true, icon: '$(comment-discussion)', offline: 'npm run ask -- "question"' },
  'loupe.newChat': { title: 'New Chat', palette: true, icon: '$(add)' },
  'loupe.chatHistory': { title: 'Chat History', palette: true, icon: '$(history)' },
  'loupe.stop': { title: 'Stop', palette: true, icon: '$(debug-stop)' },
  'loupe.explain': { title: 'Explain', palette: true },
  'loupe.fix': { title: 'Fix', palette: true },
  'loupe.writeTests': { title: 'Write Tests', palette: true },
  'loupe.document': { title: 'Write Documentation', palette: true },
  'loupe.reviewChanges': { title: 'Review Changes', palette: true },
  'loupe.commitMessage': { title: 'Write Commit Message', palette: true, icon: '$(sparkle)' },
  'loupe.chooseFolder': { title: 'Choose Folder', palette: true },
  'loupe.chooseModel': { title: 'Choose Model', palette: true },
  'loupe.chooseModelFile': { title: 'Choose a GGUF File', palette: true },
  'loupe.setEndpointKey': { title: 'Set Endpoint API Key', palette: true },
  'loupe.restartSidecar': { title: 'Restart Sidecar', palette: true },
  'loupe.showTrace': { title: 'Show Trace', palette: true, icon: '$(pulse)' },
  'loupe.exportTrace': { title: 'Export Trace', palette: true, icon: '$(export)' },
  'loupe.auditMemory': { title: 'Audit Memory', palette: true },
  'loupe.rememberRepository': { title: 'Remember This Repository Now', palette: true },
  'loupe.forgetRepository': { title: 'Forget This Repository', palette: true },
  'loupe.copyMcpConfiguration': { title: 'Copy MCP Configuration', palette: true, offline: 'node dist/mcp/main.mjs --folder path' },
  'loupe.mcpServers': { title: 'MCP Servers', palette: true, icon: '$(plug)' },
  'loupe.toggleInline': { title: 'Toggle Inline Suggestions', palette: true },
  'loupe.showLog': { title: 'Show Log', palette: true },
  'loupe.walkthrough': { title: 'Get Started', palette: true },
  'loupe.undoTurn': { title: 'Undo Turn', palette: true, icon: '$(discard)' },
  'loupe.restoreCheckpoint': { title: 'Restore Checkpoint', palette: true },
  'loupe.sessionApprovals': { title: 'Session Approvals', palette: true },
  'loupe.acceptEdit': { title: 'Apply Edit', palette: false, icon: '$(check)' },
  'loupe.rejectEdit': { title: 'Reject Edit', palette: false, icon: '$(close)' },
} as const satisfies Record<string, CommandDefinition>;

export type CommandId = keyof typeof commands;

export const views = { chat: 'loupe.chat', trace: 'loupe.trace' } as const;
export const viewContainers = { chat: 'loupe', trace: 'loupeTrace' } as const;
/** Context keys for `when` clauses. */
export const contextKeys = { turnRunning: 'loupe.turnRunning', editPending: 'loupe.editPending' } as const;
