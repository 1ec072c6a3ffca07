/**
 * JSON with a space after each colon and comma, as models write it by habit. The call grammar allows exactly this form, so that a call
 * in the history has the bytes that the model wrote.
 */
export function spacedJson(value: unknown): string {
  if (value === undefined) return 'null';
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return `{${fields.map(([key, field]) => `${JSON.stringify(key)}: ${spacedJson(field)}`).join(', ')}}`;
  }
  return JSON.stringify(value);
}
