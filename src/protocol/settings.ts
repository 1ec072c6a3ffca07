import { kvPresets } from './kv.js';

/**
 * The one table of settings. package.json repeats it for VS Code; a test compares both, in both directions.
 * `scope: 'application'` means user level only: a workspace cannot set it, so a cloned repository cannot choose a model
 * file, an endpoint or a budget for us.
 */
interface Base<T> {
  readonly default: T;
  readonly scope: 'application' | 'window' | 'language-overridable';
  readonly description: string;
}
type StringSetting = Base<string> & { readonly type: 'string'; readonly enum?: readonly string[] };
type NumberSetting = Base<number> & { readonly type: 'number'; readonly minimum: number; readonly maximum: number };
type BooleanSetting = Base<boolean> & { readonly type: 'boolean' };
type FlagsSetting = Base<Readonly<Record<string, boolean>>> & { readonly type: 'object' };
/** `open`: what it may hold is checked where it is used, part by part. */
type OpenSetting = Base<Readonly<Record<string, unknown>>> & { readonly type: 'object'; readonly open: true };
export type SettingDefinition = StringSetting | NumberSetting | BooleanSetting | FlagsSetting | OpenSetting;

export const settings = {
  'loupe.model.chat': {
    type: 'string', default: 'auto', scope: 'application',
    description: 'Chat model: `auto` (the best installed model that fits this machine), an id of the catalogue, the path of a GGUF file, or `endpoint`.',
  },
  'loupe.model.completion': {
    type: 'string', default: 'auto', scope: 'application',
    description: 'Model for inline suggestions: `auto`, an id of the catalogue or the path of a GGUF file. It must know fill-in-the-middle.',
  },
  'loupe.model.directory': {
    type: 'string', default: '', scope: 'application',
    description: 'Folder for downloaded models. Empty: a `loupe/models` folder in your cache directory.',
  },
  'loupe.model.mirror': {
    type: 'string', default: '', scope: 'application',
    description: 'Address that models are downloaded from instead of `https://huggingface.co`, under the same paths: `https`, or `http` on this machine. What arrives is checked against the published hash.',
  },
  'loupe.model.contextSize': {
    type: 'number', default: 0, minimum: 0, maximum: 1048576, scope: 'application',
    description: 'Context of the chat model in tokens. 0: as large as fits this machine.',
  },
  'loupe.model.threads': {
    type: 'number', default: 0, minimum: 0, maximum: 512, scope: 'application',
    description: 'Processor threads for inference. 0: the number of physical cores.',
  },
  'loupe.model.gpu': {
    type: 'string', enum: ['auto', 'off'], default: 'auto', scope: 'application',
    description: 'Use a graphics processor when there is one.',
  },
  'loupe.kv.preset': {
    type: 'string', enum: kvPresets, default: 'balanced', scope: 'application',
    description: 'How the KV cache, the model\'s memory of the conversation, is stored: from `exact` (f16, nothing is lost) through `balanced` to `smallest`, each keeping more context in the same memory. "Loupe: Audit Memory" shows what each gives on this machine.',
  },
  'loupe.endpoint.url': {
    type: 'string', default: '', scope: 'application',
    description: 'Base address of an OpenAI-compatible endpoint, for example `http://127.0.0.1:8080/v1`. Used when the chat model is `endpoint`.',
  },
  'loupe.endpoint.model': {
    type: 'string', default: '', scope: 'application',
    description: 'Model name to ask the endpoint for. Empty: the first one it lists.',
  },
  'loupe.agent.maxSteps': {
    type: 'number', default: 15, minimum: 1, maximum: 100, scope: 'application',
    description: 'Most model calls in one turn.',
  },
  'loupe.agent.maxTokens': {
    type: 'number', default: 60000, minimum: 1000, maximum: 10000000, scope: 'application',
    description: 'Most tokens that one turn may read anew and write.',
  },
  'loupe.agent.maxSeconds': {
    type: 'number', default: 600, minimum: 10, maximum: 86400, scope: 'application',
    description: 'Longest time for one turn, in seconds. Waiting for your approval does not count.',
  },
  'loupe.commands.sandbox': {
    type: 'string', enum: ['auto', 'off'], default: 'auto', scope: 'application',
    description: 'Run commands of the agent in a sandbox: they write in the workspace folder only and read no credentials. `auto`: where one is there (Linux with bubblewrap). Without a sandbox every command asks.',
  },
  'loupe.commands.network': {
    type: 'boolean', default: false, scope: 'application',
    description: 'Let commands in the sandbox use the network. Each of them asks then.',
  },
  'loupe.inline.enabled': {
    type: 'boolean', default: true, scope: 'window',
    description: 'Show inline suggestions while you type.',
  },
  'loupe.inline.languages': {
    type: 'object', default: { '*': true, markdown: false, plaintext: false, scminput: false }, scope: 'window',
    description: 'Inline suggestions per language id; `*` is the default for all others.',
  },
  'loupe.inline.maxTokens': {
    type: 'number', default: 96, minimum: 8, maximum: 512, scope: 'window',
    description: 'Longest inline suggestion, in tokens.',
  },
  'loupe.memory.enabled': {
    type: 'boolean', default: false, scope: 'application',
    description: 'Remember the open repository: the local chat model reads its central files once, in the background, and every new chat begins with them. For models that read long prompts well: very small ones answer worse with it.',
  },
  'loupe.memory.maxTokens': {
    type: 'number', default: 24000, minimum: 1000, maximum: 1000000, scope: 'application',
    description: 'Most tokens that are remembered of a repository. At least 8,192 tokens of the context, or two thirds of a small one, stay free for the chat.',
  },
  'loupe.memory.diskGigabytes': {
    type: 'number', default: 4, minimum: 0.5, maximum: 10000, scope: 'application',
    description: 'Disk space for all remembered repositories together, in gigabytes. When it is used up, those that were not used for the longest time go first.',
  },
  'loupe.mcp.server.enabled': {
    type: 'boolean', default: true, scope: 'application',
    description: 'Offer trusted workspaces to other assistants on this machine over the Model Context Protocol: they read what you see, and you approve what they change or run. "Loupe: Copy MCP Configuration" tells them how.',
  },
  'loupe.mcp.http.enabled': {
    type: 'boolean', default: false, scope: 'application',
    description: 'Offer them over HTTP too, on `127.0.0.1` and with a token, for programs that cannot start the server themselves.',
  },
  'loupe.mcp.servers': {
    type: 'object', open: true, default: {}, scope: 'application',
    description: 'MCP servers whose tools the agent may use, by name, as in the part `servers` of `mcp.json`: `command`, `args`, `env` and `cwd`, or `url` and `headers`. `enabled` switches one off, `alwaysAllow` names tools that are called without asking. `${workspaceFolder}`, `${userHome}` and `${env:NAME}` are filled in. "Loupe: MCP Servers" shows how each stands.',
  },
  'loupe.mcp.callSeconds': {
    type: 'number', default: 60, minimum: 1, maximum: 3600, scope: 'application',
    description: 'Longest time for one call of a tool of an MCP server, in seconds. While the server tells progress it may take up to ten times as long.',
  },
  'loupe.trace.keepTurns': {
    type: 'number', default: 200, minimum: 10, maximum: 10000, scope: 'application',
    description: 'How many turns the trace keeps for each workspace.',
  },
} as const satisfies Record<string, SettingDefinition>;

export type SettingKey = keyof typeof settings;
type Widen<T> = T extends string ? string : T extends number ? number : T extends boolean ? boolean : Readonly<Record<string, boolean>>;
export type SettingValue<K extends SettingKey> = (typeof settings)[K] extends { open: true } ? Readonly<Record<string, unknown>> : (typeof settings)[K] extends { enum: readonly (infer E)[] } ? E : Widen<(typeof settings)[K]['default']>;
export type SettingValues = { readonly [K in SettingKey]: SettingValue<K> };

/** Settings that start processes or open connections: ignored in untrusted workspaces (package.json `restrictedConfigurations`). */
export const restrictedSettings: readonly SettingKey[] = [
  'loupe.model.chat', 'loupe.model.completion', 'loupe.model.directory', 'loupe.model.mirror', 'loupe.endpoint.url', 'loupe.endpoint.model',
  'loupe.commands.sandbox', 'loupe.commands.network', 'loupe.mcp.servers',
];

export const settingDefaults = Object.fromEntries(Object.entries(settings).map(([key, s]) => [key, s.default])) as unknown as SettingValues;
