/** A line of a stream that no language model would write. */
export class OversizedLine extends Error {
  override readonly name = 'OversizedLine';
}

const maximumLine = 1024 * 1024;

/**
 * The data of each server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html), in order. Other fields
 * and comments are skipped. Bytes may be cut anywhere, also within a character. Throws {@link OversizedLine}.
 */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = '';
  let data: string[] = [];
  let size = 0;
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    // A lone CR at the end may be the first half of CRLF: it waits for the next chunk.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield data.join('\n');
        data = [];
        size = 0;
      } else if (line.startsWith('data:')) {
        data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
        size += line.length;
      }
      if (size > maximumLine) throw new OversizedLine();
    }
    if (rest.length > maximumLine) throw new OversizedLine();
  }
  const last = (rest + decoder.decode()).replace(/\r$/, '');
  if (last.startsWith('data:')) data.push(last.slice(last.startsWith('data: ') ? 6 : 5));
  if (data.length > 0) yield data.join('\n'); // servers that forget the last empty line
}
