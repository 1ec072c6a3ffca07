/** A file that git does not know yet; `content` is undefined where it was not read: it is too large, or one of too many. */
export interface NewFile { readonly path: string; readonly content: Uint8Array | undefined }

/** New files in the form that `git diff` gives them once they are added. */
export function newFilesDiff(files: readonly NewFile[]): string {
  return files.map(({ path, content }) => {
    const head = `diff --git a/${path} b/${path}\nnew file\n`;
    if (content === undefined) return `${head}(its content is not shown)\n`;
    if (content.includes(0)) return `${head}Binary files /dev/null and b/${path} differ\n`;
    const text = new TextDecoder().decode(content);
    if (text === '') return head;
    const lines = text.replace(/\n$/, '').split('\n');
    return `${head}--- /dev/null\n+++ b/${path}\n@@ -0,0 +1,${lines.length} @@\n${lines.map((line) => `+${line}\n`).join('')}${text.endsWith('\n') ? '' : '\\ No newline at end of file\n'}`;
  }).join('');
}
