// What recall.mjs asks: questions about the code of mocha, and tasks for whole answers.

/**
 * Files of a package whose version package-lock.json pins, in the order in which they are read. `classes`: breaks between the methods of a
 * class count as places where a fact can stand.
 */
export const sources = {
  package: 'mocha',
  files: [
    'lib/errors.js', 'lib/utils.cjs', 'lib/reporters/base.js', 'lib/cli/parse-args.js', 'lib/plugin-loader.js', 'lib/nodejs/serializer.js',
    'lib/runnable.js', 'lib/error-constants.js', 'lib/reporters/xunit.js', 'lib/reporters/tap.js', 'lib/interfaces/common.js', 'lib/suite.js',
  ],
};

/**
 * `ask`: for a model that chats. `write`: the same as the start of code, for a model that only goes on. `answers`: all must be said, as whole
 * words. `evidence`: what in the code says so; a question is asked once that has been read.
 */
export const codeQuestions = [
  {
    ask: 'Which function does `createMissingArgumentError` call?', write: 'function createMissingArgumentError(message, argument, expected) {\n  return ',
    answers: ['createInvalidArgumentTypeError'], evidence: '  return createInvalidArgumentTypeError(message, argument, expected);',
  },
  {
    ask: 'What is the name of the second parameter of `createInvalidInterfaceError`?', write: 'function createInvalidInterfaceError(message, ',
    answers: ['ui'], evidence: 'function createInvalidInterfaceError(message, ui) {',
  },
  {
    ask: 'Which reason does `createInvalidArgumentValueError` give when none was passed?', write: '  err.reason = typeof reason !== "undefined" ? reason : ',
    answers: ['is invalid'], evidence: 'reason : "is invalid";',
  },
  {
    ask: 'Which message does `createForbiddenExclusivityError` use in a worker?', write: '  if (mocha.isWorker) {\n    message = ',
    answers: ['is not supported in parallel mode'], evidence: 'message = "`.only` is not supported in parallel mode";',
  },
  {
    ask: 'What is the value of the constant `MOCHA_ID_PROP_NAME`?', write: 'const MOCHA_ID_PROP_NAME = ',
    answers: ['__mocha_id__'], evidence: 'const MOCHA_ID_PROP_NAME = "__mocha_id__";',
  },
  {
    ask: 'What does `emptyRepresentation` return for the type hint "function"?', write: 'function emptyRepresentation(value, typeHint) {\n  switch (typeHint) {\n    case "function":\n      return ',
    answers: ['[Function]'], evidence: 'case "function":\n      return "[Function]";',
  },
  {
    ask: 'Which message does the TypeError have that `defineConstants` throws?', write: 'exports.defineConstants = function (obj) {\n  if (canonicalType(obj) !== "object" || !Object.keys(obj).length) {\n    throw new TypeError(',
    answers: ['Invalid argument; expected a non-empty object'], evidence: 'throw new TypeError("Invalid argument; expected a non-empty object");',
  },
  {
    ask: 'How many characters does an id of `uniqueID` have?', write: 'exports.uniqueID = () => {\n  let id = "";\n  for (let i = 0; i < ',
    answers: ['21'], evidence: 'for (let i = 0; i < 21; i++) {',
  },
  {
    ask: 'What does `getBrowserWindowSize` return in a Web Worker?', write: '  // In a Web Worker, the DOM Window is not available.\n  return ',
    answers: ['640', '480'], evidence: 'return [640, 480];',
  },
  { ask: 'What is the value of `Base.maxDiffSize`?', write: 'Base.maxDiffSize = ', answers: ['8192'], evidence: 'Base.maxDiffSize = 8192;' },
  { ask: 'What is the default of `Base.window.width`?', write: 'Base.window = {\n  width: ', answers: ['75'], evidence: 'Base.window = {\n  width: 75,' },
  { ask: 'What is the value of `Base.colors["diff added inline"]`?', write: '  "diff added inline": ', answers: ['30;42'], evidence: '"diff added inline": "30;42",' },
  { ask: 'Which options does the array `globOptions` hold?', write: 'const globOptions = ', answers: ['spec', 'ignore'], evidence: 'const globOptions = ["spec", "ignore"];' },
  {
    ask: 'Which function throws the error "Not enough arguments following"?', write: '// throws "Not enough arguments following"\nconst ',
    answers: ['validateArgsBeforeParse'], evidence: 'throw new Error(`Not enough arguments following: ${name}`);',
  },
  {
    ask: 'What is the `optionName` of the plugin whose `exportName` is "mochaHooks"?', write: '    exportName: "mochaHooks",\n    optionName: ',
    answers: ['rootHooks'], evidence: 'exportName: "mochaHooks",\n    optionName: "rootHooks",',
  },
  {
    ask: 'What is the value of the constant `SERIALIZABLE_RESULT_NAME`?', write: 'const SERIALIZABLE_RESULT_NAME = ',
    answers: ['SerializableWorkerResult'], evidence: 'const SERIALIZABLE_RESULT_NAME = "SerializableWorkerResult";',
  },
  {
    ask: 'With which prefix must a key begin so that `_deserializeObject` makes a function of it?', write: '    if (type(key) === "string" && key.startsWith(',
    answers: ['$$'], evidence: 'key.startsWith("$$")',
  },
  {
    ask: 'Which value does the constructor of `Runnable` give to `this._slow`?', write: '    this.sync = !this.async;\n    this._timeout = 2000;\n    this._slow = ',
    answers: ['75'], evidence: 'this._slow = 75;',
  },
  {
    ask: 'Which message does the PendingError have that `skip` of `Runnable` throws?', write: '  skip() {\n    this.pending = true;\n    throw new PendingError(',
    answers: ['sync skip; aborting execution'], evidence: 'throw new PendingError("sync skip; aborting execution");',
  },
];

/** For whole answers, each about some other excerpt: excerpt i gets task i modulo their number. */
export const tasks = [
  'Explain in three short paragraphs what this code does.', 'Write unit tests for this code with Node\'s `assert`.', 'Rewrite this code in TypeScript.',
  'List what could go wrong in this code, most important first.', 'Port this code to Python.',
];

/** Kinds of constants that are hidden in the code, in functions of their own. */
export const needleKinds = [
  ['RETRY_LIMIT', (colour, name, value) => `retry${colour}Upload(attempt) {\n  const ${name} = ${value};\n  return attempt < ${name};\n}`],
  ['QUEUE_DEPTH', (colour, name, value) => `trim${colour}Queue(items) {\n  const ${name} = ${value};\n  return items.slice(0, ${name});\n}`],
  ['BUFFER_BYTES', (colour, name, value) => `allocate${colour}Buffer() {\n  const ${name} = ${value};\n  return new Uint8Array(${name});\n}`],
  ['TIMEOUT_MS', (colour, name, value) => `is${colour}Late(started) {\n  const ${name} = ${value};\n  return Date.now() - started > ${name};\n}`],
  ['CACHE_ENTRIES', (colour, name, value) => `is${colour}CacheFull(cache) {\n  const ${name} = ${value};\n  return cache.size >= ${name};\n}`],
];
export const colours = ['Teal', 'Coral', 'Amber', 'Violet', 'Olive', 'Crimson', 'Indigo', 'Maroon', 'Copper', 'Silver', 'Jade', 'Ochre'];
