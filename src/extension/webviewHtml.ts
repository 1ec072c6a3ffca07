/** What the one page of a webview is made of. Addresses are webview addresses, already encoded. */
export interface WebviewPage {
  /** VS Code's own origin for local resources. */
  readonly cspSource: string;
  readonly script: string;
  readonly style: string;
  /** Unpredictable, new for every page. */
  readonly nonce: string;
  readonly title: string;
}

/**
 * The policy: nothing but our one script (by nonce), our style sheet, and images from the extension or inline data. There is
 * no `connect-src`, so a page that were taken over could still send nothing anywhere, and no inline style or script at all.
 */
export function contentSecurityPolicy({ cspSource, nonce }: Pick<WebviewPage, 'cspSource' | 'nonce'>): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource}`,
    `img-src ${cspSource} data:`,
    `font-src ${cspSource}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

export function webviewHtml(page: WebviewPage): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeAttribute(contentSecurityPolicy(page))}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeAttribute(page.title)}</title>
<link rel="stylesheet" href="${escapeAttribute(page.style)}">
</head>
<body>
<div id="root"></div>
<script nonce="${escapeAttribute(page.nonce)}" src="${escapeAttribute(page.script)}"></script>
</body>
</html>
`;
}

function escapeAttribute(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
