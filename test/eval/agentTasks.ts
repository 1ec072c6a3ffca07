/** A question about one of the small repositories in test/fixtures, and what a good turn of the agent looks like. */
export interface Task {
  readonly question: string;
  /** What the answer must say. */
  readonly answer: RegExp;
  /** Fewest and most tool calls that make sense. */
  readonly calls: readonly [number, number];
}

export interface TaskSet { readonly fixture: string; readonly tasks: readonly Task[] }

/** Reported in docs/eval/tool-calls.md: nothing is tuned on these. */
const reported: TaskSet = {
  fixture: 'parcels',
  tasks: [
    { question: 'hello', answer: /./, calls: [0, 0] },
    { question: 'What is a closure in JavaScript?', answer: /function/i, calls: [0, 0] },
    { question: 'Which file defines isFinal?', answer: /src\/tracking\/parcelStatus\.ts/, calls: [1, 3] },
    { question: 'Which file defines webhookDelivery, and what is its maxAttempts?', answer: /webhookDelivery\.ts[^]*7|7[^]*webhookDelivery\.ts/, calls: [1, 4] },
    { question: 'How often is a webhook tried again, and in which file is that number set? Search for it and read the file.', answer: /webhookDelivery\.ts/, calls: [2, 6] },
    { question: 'What does README.md say this project is?', answer: /parcel/i, calls: [1, 3] },
    { question: 'Which TypeScript files are under src/carriers?', answer: /postCarrier\.ts[^]*swiftCarrier\.ts|swiftCarrier\.ts[^]*postCarrier\.ts/, calls: [1, 3] },
    { question: 'Where is notifyShop called?', answer: /server\.ts/, calls: [1, 4] },
  ],
};

/** Prompts, tools and thresholds are chosen on these. */
const tuning: TaskSet = {
  fixture: 'greenhouse',
  tasks: [
    { question: 'Thanks, that helped!', answer: /./, calls: [0, 0] },
    { question: 'What is a dataclass in Python?', answer: /class/i, calls: [0, 0] },
    { question: 'Why is the sky blue?', answer: /scatter|light/i, calls: [0, 0] },
    { question: 'Which file defines frost_alarm?', answer: /greenhouse\/alarms\.py/, calls: [1, 3] },
    { question: 'For how many seconds does the pump run, and which file says so?', answer: /12[^]*settings\.py|settings\.py[^]*12/, calls: [1, 5] },
    { question: 'After how many missed readings is everything switched off? Look it up in the code.', answer: /\b(3|three)\b/i, calls: [1, 5] },
    { question: 'At which temperature does the frost alarm go off? Find where it is configured and read that file.', answer: /4(\.0)?[^]*settings\.py|settings\.py[^]*4/, calls: [2, 6] },
    { question: 'Which files are in the tests folder?', answer: /test_alarms\.py/, calls: [1, 3] },
    { question: 'Who calls read_all?', answer: /controller\.py/, calls: [1, 4] },
    { question: 'Summarize the README.', answer: /greenhouse/i, calls: [1, 3] },
    { question: 'What does Controller.step do when a sensor fails?', answer: /miss/i, calls: [1, 5] },
    { question: 'Is there a Dockerfile in this repository?', answer: /\bno\b|\bnot\b/i, calls: [1, 3] },
  ],
};

export const taskSets = { reported, tuning } as const satisfies Readonly<Record<string, TaskSet>>;
