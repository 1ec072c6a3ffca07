import os from 'node:os';

const gibibyte = 2 ** 30;

/** The chat model that is fetched when there is none: 1.1 GB of weights and its context want 6 GiB in all, the smaller one 3. */
export const defaultChatModel = () => (os.totalmem() >= 6 * gibibyte ? 'qwen2.5-coder-1.5b' : 'qwen2.5-coder-0.5b');
