import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../../../src/base/logger.js';
import { ConversationStore } from '../../../src/extension/chat/conversationStore.js';

const writer = fileURLToPath(new URL('./chatWriter.js', import.meta.url));

/** A real process that saves chats and is killed at any moment. */
suite('chats of a window that is killed while it saves', () => {
  let folder: string;
  setup(async () => { folder = await mkdtemp(join(tmpdir(), 'loupe-chats-')); });
  teardown(() => rm(folder, { recursive: true, force: true }));

  /** Lets the writer run for about `ms` after its first version and kills it. Gives the last version that it said is on disk. */
  async function killAfter(ms: number): Promise<number> {
    const child = spawn(process.execPath, [writer, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    await new Promise<void>((resolve) => child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      resolve();
    }));
    await sleep(ms);
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await closed;
    return Number(output.trim().split('\n').at(-1));
  }

  /** The one number of which a text consists. */
  const versionOf = (text: string): number => {
    const [first = ''] = /^\d+,/.exec(text) ?? [];
    assert.equal(text, first.repeat(text.length / first.length), 'one version throughout');
    return Number.parseInt(first);
  };

  test('every file is as before its last write or as after it, and nothing is set aside', async function () {
    this.timeout(60_000);
    let halves = 0;
    for (let round = 0; round < 20; round++) {
      const said = await killAfter(Math.random() * 60);
      const warnings: string[] = [];
      const logger: Logger = { log: (_, message) => { warnings.push(message); } };
      const store = new ConversationStore(folder, logger);
      const conversation = await store.read('c1');
      assert.ok(conversation);
      const { draft } = await store.readState();
      const versions = [
        Number(conversation.title.split(' ')[1]), versionOf(draft.text),
        ...conversation.turns.slice(0, 1).map(({ turn }) => {
          const [event] = turn.events;
          assert.ok(event?.type === 'textDelta');
          assert.equal(turn.question, `question ${versionOf(event.text)}`);
          return versionOf(event.text);
        }),
      ];
      for (const version of versions) assert.ok(version === said || version === said + 1, `${versions.join()} after ${said}`);
      assert.ok(conversation.turns.length >= 1);
      assert.deepEqual(warnings, []);
      halves += (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.tmp')).length;
      await rm(folder, { recursive: true });
    }
    assert.ok(halves > 0, 'at least one kill hit a write');
  });

  test('half files of dead windows go, those that may still be written stay', async () => {
    await killAfter(30);
    const halves = async (): Promise<string[]> => (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.tmp'));
    for (let i = 0; i < 30 && (await halves()).length === 0; i++) await killAfter(Math.random() * 60);
    const [half] = await halves();
    assert.ok(half);
    const lists = (): Promise<unknown> => new ConversationStore(folder, { log: () => undefined }).list();
    await lists();
    assert.ok((await halves()).includes(half));
    for (const name of await halves()) await utimes(join(folder, name), 1, 1);
    await lists();
    assert.deepEqual(await halves(), []);
  });
});
