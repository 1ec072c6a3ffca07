export const editScheme = 'loupe-edit';

/** Names one side of a proposed edit. The file's own path comes last, so that VS Code tells its language and icon. */
export function previewPath(side: 'before' | 'after', approvalId: string, file: string): string {
  return `/${side}/${approvalId}/${file}`;
}

export function parseEditPath(path: string): { readonly side: 'before' | 'after'; readonly id: string; readonly file: string } | undefined {
  const match = /^\/(before|after)\/([A-Za-z0-9-]+)\/(.+)$/.exec(path);
  return match ? { side: match[1] as 'before' | 'after', id: match[2] as string, file: match[3] as string } : undefined;
}
