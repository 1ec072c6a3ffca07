/** How another program starts, or reaches, the server of one folder. */
export type McpLaunch =
  | { readonly kind: 'stdio'; readonly command: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> }
  | { readonly kind: 'http'; readonly url: string; readonly token: string };

export const clients = {
  claude: { label: 'Claude', description: 'Claude Code and Claude Desktop: mcpServers' },
  vscode: { label: 'VS Code', description: 'mcp.json of another editor or profile: servers' },
  generic: { label: 'Other', description: 'mcpServers, as most clients read it' },
} as const;
export type McpClientKind = keyof typeof clients;

/** Ready configuration as JSON text. `name`: what the client shall call the server. */
export function configurationFor(client: McpClientKind, name: string, launch: McpLaunch): string {
  const entry = launch.kind === 'stdio'
    ? { ...(client === 'generic' ? {} : { type: 'stdio' }), command: launch.command, args: launch.args, env: launch.env }
    : { type: 'http', url: launch.url, headers: { Authorization: `Bearer ${launch.token}` } };
  return `${JSON.stringify({ [client === 'vscode' ? 'servers' : 'mcpServers']: { [name]: entry } }, undefined, 2)}\n`;
}

/** A name that every client takes: letters, digits and dashes. */
export function serverName(folder: string): string {
  const plain = folder.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '');
  return plain === '' ? 'loupe' : `loupe-${plain}`;
}
