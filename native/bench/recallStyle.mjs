// How recall.mjs asks a model that chats, and one that only continues what is written.

const control = text => ({ text, control: true });
const turn = (role, text) => [control(`<|im_start|>${role}\n`), { text }, control('<|im_end|>\n')];
const system = turn('system', 'You answer questions about source code, briefly and exactly.');

/** What a question looks for: a fact by its value, or an answer about the code. */
const sought = {
  single: needle => [needle.value], group: needles => needles.map(needle => needle.value), code: question => question.answers,
};

/** ChatML, as in src/model/formats: what Qwen2.5-Coder is trained on. */
export const chat = {
  opening: text => [...system, control('<|im_start|>user\n'), { text: `\`\`\`js\n${text}` }],
  questions: stage => {
    const ask = (text, tokens) => ({ text: [{ text: `\`\`\`\n\n${text}` }, control('<|im_end|>\n<|im_start|>assistant\n')], tokens });
    return [
      ...stage.needles.map(needle => ({
        kind: 'single', at: needle.at, answers: sought.single(needle),
        ...ask(`What is the value of the constant \`${needle.name}\` in the code above? Answer with the number only.`, 12),
      })),
      ...stage.groups.map(group => ({
        kind: 'group', answers: sought.group(group),
        ...ask(`What are the values of these constants in the code above: ${group.map(({ name }) => `\`${name}\``).join(', ')}? Write one line for each: its name, an equals sign, its number.`, 72),
      })),
      ...stage.questions.map(question => ({ kind: 'code', answers: sought.code(question), ...ask(`${question.ask} Answer in a few words, as the code above has it.`, 32) })),
    ];
  },
  task: ({ text, task }) => [
    ...system, control('<|im_start|>user\n'), { text: `\`\`\`js\n${text}\`\`\`\n\n${task}` }, control('<|im_end|>\n<|im_start|>assistant\n'),
  ],
};

/** For base models: the answer is what the code goes on with. */
export const completion = {
  opening: text => [{ text }],
  questions: stage => {
    const write = (text, tokens) => ({ text: [{ text }], tokens });
    return [
      ...stage.needles.map(needle => ({ kind: 'single', at: needle.at, answers: sought.single(needle), ...write(`  const ${needle.name} =`, 12) })),
      ...stage.groups.map(group => ({
        kind: 'group', answers: sought.group(group),
        ...write(`// The constants ${group.map(({ name }) => name).join(', ')}:\n  const ${group[0].name} =`, 72),
      })),
      ...stage.questions.map(question => ({ kind: 'code', answers: sought.code(question), ...write(question.write.trimEnd(), 32) })),
    ];
  },
  task: ({ text }) => [{ text: text.trimEnd() }],
};
