import { silentLogger } from '../../../src/base/logger.js';
import { ConversationStore, type StoredConversation, type StoredTurn } from '../../../src/extension/chat/conversationStore.js';

/**
 * A window that writes without end: FOLDER. Version n of everything holds n throughout, so that a mixture of two versions shows.
 * Says `n` once version n is on disk.
 */
const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: FOLDER');
const store = new ConversationStore(folder, silentLogger);

const turn = (id: string, n: number): StoredTurn => ({
  turn: { id, question: `question ${n}`, attachments: [], events: [{ type: 'textDelta', hop: 1, text: `${n},`.repeat(40_000) }] },
  history: [{ role: 'user', content: `question ${n}` }],
});
for (let n = 1; ; n++) {
  const turns = Array.from({ length: 1 + (n % 3) }, (_, i) => turn(`t${i}`, n));
  const conversation: StoredConversation = { id: 'c1', title: `title ${n}`, createdAt: 1, updatedAt: n, turns };
  await Promise.all(turns.map((one) => store.saveTurn('c1', one.turn.id, () => one)));
  await store.saveHead(conversation);
  await store.saveState({ current: 'c1', draft: { text: `${n},`.repeat(10_000), attachments: [] } });
  process.stdout.write(`${n}\n`);
}
