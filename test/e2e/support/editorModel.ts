import * as vscode from 'vscode';

/** What the editor's own chat gave the model, and what it got for it. */
export interface EditorRequest { readonly tools: readonly string[]; readonly results: readonly string[] }
export type EditorReply = { readonly text: string } | { readonly call: string; readonly input: object };

/** As contributed by test/support/workbench/testExtension. */
const vendor = 'loupe-tests';
const model: vscode.LanguageModelChatInformation = {
  id: 'scripted', name: 'Scripted', family: 'scripted', version: '1', maxInputTokens: 100_000, maxOutputTokens: 4_000, capabilities: { toolCalling: true },
};

export const modelSelector = { vendor, id: model.id };

/** A model of another extension in the editor's own chat: it says what `reply` says, and all else is the editor's. */
export class EditorModel implements vscode.LanguageModelChatProvider, vscode.Disposable {
  readonly requests: EditorRequest[] = [];
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly registered: vscode.Disposable;
  readonly onDidChangeLanguageModelChatInformation = this.changed.event;

  constructor(private readonly reply: (request: EditorRequest) => EditorReply) {
    this.registered = vscode.lm.registerLanguageModelChatProvider(vendor, this);
    this.changed.fire(); // else nobody asks for its models
  }

  provideLanguageModelChatInformation(): vscode.LanguageModelChatInformation[] {
    return [model];
  }

  async provideLanguageModelChatResponse(
    _: vscode.LanguageModelChatInformation, messages: readonly vscode.LanguageModelChatRequestMessage[], options: vscode.ProvideLanguageModelChatResponseOptions,
    progress: vscode.Progress<vscode.LanguageModelResponsePart>,
  ): Promise<void> {
    const request = { tools: (options.tools ?? []).map(({ name }) => name), results: messages.flatMap(({ content }) => content.flatMap(textOfResult)) };
    this.requests.push(request);
    const said = this.reply(request);
    progress.report('text' in said ? new vscode.LanguageModelTextPart(said.text) : new vscode.LanguageModelToolCallPart(`call-${this.requests.length}`, said.call, said.input));
  }

  async provideTokenCount(_: vscode.LanguageModelChatInformation, text: string | vscode.LanguageModelChatRequestMessage): Promise<number> {
    return Math.ceil((typeof text === 'string' ? text : JSON.stringify(text.content)).length / 4);
  }

  dispose(): void {
    this.registered.dispose();
    this.changed.dispose();
  }
}

function textOfResult(part: unknown): readonly string[] {
  if (!(part instanceof vscode.LanguageModelToolResultPart)) return [];
  return [part.content.map((piece) => (piece instanceof vscode.LanguageModelTextPart ? piece.value : JSON.stringify(piece))).join('')];
}
