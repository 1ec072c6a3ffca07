/** JSON as editors write it: comments and a comma before a closing bracket are left out, and everything keeps its line. Throws what `JSON.parse` throws. */
export function parseJsonc(text: string): unknown {
  const token = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|,(?=(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*[}\]])/g;
  return JSON.parse(text.replace(/^\ufeff/, '').replace(token, (found) => (found.startsWith('"') ? found : found.replace(/[^\n]/g, ' '))));
}
