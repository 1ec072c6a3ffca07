import type { ModelRole } from '../protocol/sidecar.js';
import type { KvGeometry } from './modelShape.js';

/** A model that Loupe knows, with everything needed to fetch it, check it and judge whether it fits. */
export interface CatalogueEntry {
  readonly id: string;
  readonly name: string;
  /** File name in the models folder. */
  readonly file: string;
  readonly sizeBytes: number;
  /** Hex, lower case; null where no published value is known, and then the download shows the one it computed. */
  readonly sha256: string | null;
  /** Pinned to a revision where one is known; the hash is checked in any case. Absent for files that are on no public hub. */
  readonly url?: string;
  readonly licence: { readonly name: string; readonly url: string };
  readonly trainContext: number;
  readonly embedding: number;
  readonly vocabulary: number;
  readonly kv: KvGeometry;
  /** Billions of weights, and how many of them each token uses: what decides the speed where memory bandwidth is the limit. */
  readonly parameters: number;
  readonly activeParameters: number;
  readonly roles: readonly ModelRole[];
  /** Order of preference among chat models; larger is better. */
  readonly rank: number;
  readonly description: string;
}

const apache = { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' };
const gemmaTerms = { name: 'Gemma Terms of Use', url: 'https://ai.google.dev/gemma/terms' };
const hub = (repository: string, revision: string, file: string): string => `https://huggingface.co/${repository}/resolve/${revision}/${file}`;

const layers = (count: number, heads: number, headSize: number): KvGeometry['global'] => ({
  layers: count, keyElements: heads * headSize, valueElements: heads * headSize, keyHead: headSize, valueHead: headSize,
});
const none = { layers: 0, keyElements: 0, valueElements: 0, keyHead: 0, valueHead: 0 };

export const catalogue: readonly CatalogueEntry[] = [
  {
    id: 'gemma-4-e2b', name: 'Gemma 4 E2B', file: 'gemma-4-E2B-it-Q4_0.gguf',
    sizeBytes: 2_841_481_184, sha256: '8e30dff3ac4c8434c49a7036fa15564bdbb6044e42bf04550bf1a096ad7e6a52',
    url: hub('ggml-org/gemma-4-E2B-it-GGUF', 'b4243c156154b6dca9324415f8c7ccc098b4aed1', 'gemma-4-E2B-it-Q4_0.gguf'),
    licence: apache, trainContext: 131_072, embedding: 1536, vocabulary: 262_144, parameters: 5.1, activeParameters: 2.3,
    kv: { global: layers(3, 1, 512), local: layers(12, 1, 256), window: 512 },
    roles: ['chat'], rank: 50, description: 'Answers and calls tools on a laptop without a graphics processor.',
  },
  {
    id: 'gemma-4-e4b', name: 'Gemma 4 E4B', file: 'gemma-4-E4B-it-Q4_0.gguf',
    sizeBytes: 4_590_807_392, sha256: 'a555b900214b477d8880e7832e0b8925e139b0159640036b09fe472b6f2097f2',
    url: hub('ggml-org/gemma-4-E4B-it-GGUF', 'b8093469224f83f5c38f691eb906c380e9e63114', 'gemma-4-E4B-it-Q4_0.gguf'),
    licence: apache, trainContext: 131_072, embedding: 2560, vocabulary: 262_144, parameters: 8, activeParameters: 4.5,
    kv: { global: layers(4, 2, 512), local: layers(20, 2, 256), window: 512 },
    roles: ['chat'], rank: 60, description: 'Better answers than E2B at about half its speed.',
  },
  {
    id: 'gemma-4-26b-a4b', name: 'Gemma 4 26B-A4B', file: 'gemma-4-26B-A4B-it-Q4_0.gguf',
    sizeBytes: 14_618_145_824, sha256: 'd208665ab1cd3a69f7a9a4bc59430e8448c8093d9b06334f566ac59d6d504a03',
    url: hub('ggml-org/gemma-4-26B-A4B-it-GGUF', 'bb4531cda34d1ea09d9814959ed4d5833cf2a4c8', 'gemma-4-26B-A4B-it-Q4_0.gguf'),
    licence: apache, trainContext: 262_144, embedding: 2816, vocabulary: 262_144, parameters: 25.2, activeParameters: 3.8,
    kv: { global: layers(5, 2, 512), local: layers(25, 8, 256), window: 1024 },
    roles: ['chat'], rank: 80, description: 'A mixture of experts: needs 24 GB of memory, but is as quick as a small model.',
  },
  {
    id: 'gemma-4-31b', name: 'Gemma 4 31B', file: 'gemma-4-31B-it-Q4_0.gguf',
    sizeBytes: 17_992_313_088, sha256: '031dc1c5fa9c5a0abbf3c39c5173fb2af65f5ac2dc2a090268561d3c72dcd834',
    url: hub('ggml-org/gemma-4-31B-it-GGUF', '4fa4fdf38bee237b5c9e8a5b4e72cf39404c9dcc', 'gemma-4-31B-it-Q4_0.gguf'),
    licence: apache, trainContext: 262_144, embedding: 5376, vocabulary: 262_144, parameters: 30.7, activeParameters: 30.7,
    kv: { global: layers(10, 4, 512), local: layers(50, 16, 256), window: 1024 },
    roles: ['chat'], rank: 90, description: 'The best answers; wants a graphics processor or unified memory with 32 GB.',
  },
  {
    id: 'gemma-3-270m-it', name: 'Gemma 3 270M Instruct', file: 'gemma-3-270m-it-Q8_0.gguf',
    sizeBytes: 291_545_600, sha256: '0ef57d2c838458a1952664260dcba38e5bdda37494f3af732f06e4add24068e3',
    url: hub('ggml-org/gemma-3-270m-it-GGUF', 'main', 'gemma-3-270m-it-Q8_0.gguf'),
    licence: gemmaTerms, trainContext: 32_768, embedding: 640, vocabulary: 262_144, parameters: 0.27, activeParameters: 0.27,
    kv: { global: layers(3, 1, 256), local: layers(15, 1, 256), window: 512 },
    roles: ['chat'], rank: 5, description: 'Tiny: labels and one-line answers, no work with tools.',
  },
  {
    id: 'gemma-3-270m', name: 'Gemma 3 270M (base)', file: 'gemma-3-270m-q4_k_m.gguf',
    sizeBytes: 253_113_024, sha256: 'a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818',
    licence: gemmaTerms, trainContext: 32_768, embedding: 640, vocabulary: 262_144, parameters: 0.27, activeParameters: 0.27,
    kv: { global: layers(3, 1, 256), local: layers(15, 1, 256), window: 512 },
    roles: [], rank: 0, description: 'A base model: continues text, neither chats nor fills in the middle. For tests of the sliding-window cache.',
  },
  {
    id: 'qwen2.5-coder-0.5b', name: 'Qwen2.5-Coder 0.5B Instruct', file: 'qwen2.5-coder-0.5b-instruct-q4_k_m.gguf',
    sizeBytes: 491_400_064, sha256: '1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32',
    url: hub('Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF', 'ebb2015119c907b064c512bf053e945850b5875f', 'qwen2.5-coder-0.5b-instruct-q4_k_m.gguf'),
    licence: apache, trainContext: 32_768, embedding: 896, vocabulary: 151_936, parameters: 0.49, activeParameters: 0.49,
    kv: { global: layers(24, 2, 64), local: none, window: 0 },
    roles: ['completion', 'chat'], rank: 10, description: 'The quickest inline suggestions; its chat answers are weak.',
  },
  {
    id: 'qwen2.5-coder-1.5b', name: 'Qwen2.5-Coder 1.5B Instruct', file: 'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf',
    sizeBytes: 1_117_320_768, sha256: 'cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046',
    url: hub('Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF', '38f6bab61d341b23a6c00226f32c0d6148bf9f43', 'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf'),
    licence: apache, trainContext: 32_768, embedding: 1536, vocabulary: 151_936, parameters: 1.54, activeParameters: 1.54,
    kv: { global: layers(28, 2, 128), local: none, window: 0 },
    roles: ['chat', 'completion'], rank: 30, description: 'Chats, calls tools and completes code on any machine; one file for both.',
  },
];

export function catalogueEntry(id: string): CatalogueEntry | undefined {
  return catalogue.find((entry) => entry.id === id);
}

/** Bytes of weights read for each generated token. */
export const activeBytes = (entry: Pick<CatalogueEntry, 'sizeBytes' | 'parameters' | 'activeParameters'>): number =>
  entry.sizeBytes * (entry.activeParameters / entry.parameters);
