import { callDelta, delta, done, events, finish, json, scriptedServer, type ScriptedServer } from '../../support/model/scriptedServer.js';
import { setUserSettings } from './chatPage.js';

export type Reply = { readonly text: string } | { readonly call: string; readonly arguments: Readonly<Record<string, unknown>> };

interface Message { readonly role: string; readonly content: string | null }

/**
 * An OpenAI-compatible endpoint that answers what `reply` says, given the conversation; the user settings are pointed at it. The
 * product talks to it as to any other endpoint, so that everything but the model's wits is real.
 */
export async function useScriptedModel(reply: (messages: readonly Message[]) => Reply): Promise<ScriptedServer> {
  const server = await scriptedServer((request, response) => {
    if (request.path.endsWith('/models')) {
      json(response, { object: 'list', data: [{ id: 'scripted', object: 'model', max_model_len: 8192 }] });
      return;
    }
    if (!request.path.endsWith('/chat/completions')) {
      json(response, { error: { message: 'not here' } }, 404);
      return;
    }
    const { messages } = JSON.parse(request.body) as { messages: readonly Message[] };
    const said = reply(messages);
    if ('text' in said) events(response, [...said.text.match(/\S+\s*/g)?.map(delta) ?? [], finish('stop'), done]);
    else {
      const call = { index: 0, id: `call-${messages.length}`, type: 'function', function: { name: said.call, arguments: JSON.stringify(said.arguments) } };
      events(response, [callDelta(call), finish('tool_calls'), done]);
    }
  });
  await setUserSettings({ 'loupe.endpoint.url': `${server.origin}/v1`, 'loupe.endpoint.model': 'scripted', 'loupe.model.chat': 'endpoint' });
  return server;
}

/** Calls the tool first; when its result is there, says `then`. */
export const callThen = (call: string, args: Readonly<Record<string, unknown>>, then: string) => (messages: readonly Message[]): Reply =>
  messages.at(-1)?.role === 'tool' ? { text: then } : { call, arguments: args };
