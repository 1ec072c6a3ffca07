import assert from 'node:assert/strict';
import { promptSchema } from '../../../src/agent/mcp/definitionText.js';
import type { McpPort, McpTool } from '../../../src/agent/mcp/port.js';
import { toolNames } from '../../../src/agent/mcp/toolNames.js';
import { mcpTools, mostInPrompt } from '../../../src/agent/mcp/toolSet.js';
import { decide, noGrants } from '../../../src/agent/policy.js';
import { turnPrefix } from '../../../src/agent/prefix.js';
import { SessionGrants } from '../../../src/agent/sessionGrants.js';
import type { Tool } from '../../../src/agent/tools/tool.js';
import { failure } from '../../../src/base/errors.js';
import type { Approval } from '../../../src/protocol/agentEvents.js';
import { answer, call, calls } from './support/scriptedModel.js';
import { FakeTime } from './support/fakeTime.js';
import { echo, only, run } from './support/turns.js';

const tool = (server: string, name: string, more: Partial<McpTool> = {}): McpTool => ({
  server, origin: 'user', kind: 'stdio', name, description: `Does ${name}.`, inputSchema: { type: 'object', properties: { value: { type: 'string' } } }, identity: `${server}/${name}`, ...more,
});

/** A port that answers with what it was asked. */
class Port implements McpPort {
  readonly called: (readonly [string, Readonly<Record<string, unknown>>])[] = [];
  start: (() => Promise<void>) | undefined;
  starting(): Promise<void> | undefined {
    return this.start?.();
  }
  call({ name }: McpTool, args: Readonly<Record<string, unknown>>): ReturnType<McpPort['call']> {
    this.called.push([name, args]);
    return Promise.resolve({ failed: false, text: `did ${name}`, truncated: false });
  }
}

function made(tools: readonly McpTool[], others = 5, port = new Port()): { readonly all: readonly Tool[]; readonly port: Port; readonly approvals: Approval[] } {
  const approvals: Approval[] = [];
  return { port, approvals, all: mcpTools(tools, others, { port, ledger: new Map(), approvals: { request: (approval) => { approvals.push(approval); return Promise.resolve('accepted'); } } }) };
}
const many = Array.from({ length: 30 }, (_, i) => tool('big', `convert_${i}`, { description: i === 7 ? 'Finds the weather of a city.' : `Converts currency ${i}.` }));

suite('tools of MCP servers', () => {
  test('without servers a prompt is what it was, byte for byte', () => {
    const { all } = made([]);
    assert.deepEqual(all, []);
    assert.deepEqual(JSON.stringify(turnPrefix([echo(), ...all], 'full')), JSON.stringify(turnPrefix([echo()], 'full')));
  });

  test('with servers it has their tools behind our own, the same in whatever order they come', () => {
    const tools = [tool('b', 'x'), tool('a', 'y'), tool('a', 'x')];
    const prefix = (some: readonly McpTool[]): string => JSON.stringify(turnPrefix([echo(), ...made(some).all], 'full'));
    assert.equal(prefix(tools), prefix([...tools].reverse()));
    assert.match(prefix(tools), /echo.*mcp_a_x.*mcp_a_y.*mcp_b_x/);
  });

  test('names: plain, short and one each', () => {
    const tools = [tool('my server!', 'do it/now'), tool('my_server_', 'do it now'), tool('ünï', '\u202e'), tool('s', 'x'.repeat(100)), tool('s', `${'x'.repeat(100)}y`)];
    const names = [...toolNames(tools).values()];
    assert.deepEqual([...names].sort(), ['mcp_my_server_do_it_now', 'mcp_my_server_do_it_now_2', 'mcp_n_x', `mcp_s_${'x'.repeat(56)}_2`, `mcp_s_${'x'.repeat(58)}`]);
    for (const name of names) assert.match(name, /^[A-Za-z0-9_-]{1,64}$/);
  });

  test('attack 22: what a definition hides is seen, and what is long is cut', () => {
    const [one] = made([tool('s', 'x', { description: `a\u202eb ${'long '.repeat(500)}`, inputSchema: { type: 'object', $schema: 'x', additionalProperties: false, default: 1, properties: {
      ok: { type: 'string', description: 'c\u{e0041}', pattern: '(a+)+$', enum: ['p', 'q'] }, 'b\u202ead': { type: 'string' }, hid: { enum: ['x\u200b'] }, deep: { type: 'array', items: { $ref: '#/$defs/D' } },
    }, required: ['ok'], $defs: { D: { type: 'object', properties: { d: { $ref: '#/$defs/D' } } } } } })]).all;
    assert.match(one?.definition.description ?? '', /^a\\u\{202e\}b long/);
    assert.ok((one?.definition.description.length ?? 0) < 620);
    const parameters = one?.definition.parameters as { properties: Record<string, object>; required: unknown };
    assert.deepEqual([Object.keys(parameters), Object.keys(parameters.properties)], [['type', 'properties', 'required'], ['ok', 'hid', 'deep']]);
    assert.deepEqual([parameters.properties['ok'], parameters.properties['hid']], [{ type: 'string', description: 'c\\u{e0041}', enum: ['p', 'q'] }, {}]);
    assert.ok(JSON.stringify(parameters).length < 1_000, 'a schema that holds itself ends');
    assert.deepEqual(promptSchema({ type: 'object', properties: Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`property_${i}`, { type: 'string' }])) }), { type: 'object' });
    assert.deepEqual(promptSchema({ type: 'string' }), { type: 'object' });
  });

  test('up to 25 tools in all their schemas are in the prompt; past that they are found, and then called', async () => {
    assert.equal(made(many.slice(0, mostInPrompt - 5)).all.length, mostInPrompt - 5);
    const { all, port, approvals } = made(many.slice(0, mostInPrompt - 4));
    assert.deepEqual(turnPrefix(all, 'full').tools.map(({ name }) => name), ['find_tools', 'call_tool']);
    const { model, events } = await run({
      tools: [echo(), ...all], replies: [
        calls(call('find_tools', { query: 'weather' })), calls(call('call_tool', { name: 'mcp_big_convert_7', arguments: { value: 'Rome', none: null } })), calls(call('mcp_big_convert_3', { value: 'x' })),
        calls(call('call_tool', { name: 'mcp_big_none', arguments: {} })), calls(call('find_tools', { query: 'zebra' })), answer('Done.'),
      ],
    });
    const results = only(events, 'toolFinished').map(({ result }) => result);
    assert.match(results[0] ?? '', /^mcp_big_convert_7: Finds the weather of a city\.\narguments: \{"type":"object","properties":\{"value":\{"type":"string"\}\}\}\n\[Call one with call_tool/);
    assert.deepEqual([results[1], results[2]], ['did convert_7', 'did convert_3']);
    assert.match(results[3] ?? '', /There is no such tool/);
    assert.match(results[4] ?? '', /No tool matches. The servers are: big/);
    assert.deepEqual(port.called, [['convert_7', { value: 'Rome' }], ['convert_3', { value: 'x' }]]);
    assert.deepEqual(approvals.map((approval) => approval.kind === 'tool' && approval.tool), ['convert_7', 'convert_3'], 'found or not, it is asked for as itself');
    assert.deepEqual(only(events, 'policyDecided').map(({ verdict }) => verdict), ['allow', 'ask', 'ask', 'allow', 'allow']);
    assert.ok(model.requests.every(({ tools }) => JSON.stringify(tools) === JSON.stringify(model.requests[0]?.tools)), 'the prompt only grows');
  });

  test('attack 20: the policy knows them as what they may be: asked for, each tool by itself, in no other zone', async () => {
    const [local, remote] = made([tool('a', 'x'), tool('b', 'x', { kind: 'http' })]).all;
    assert.deepEqual([local?.class, remote?.class], ['execute', 'network']);
    for (const one of [local, remote]) {
      const reach = await one!.reach({});
      const request = { class: one!.class, ...reach };
      const asked = decide({ zone: 'full', ...request }, noGrants);
      assert.deepEqual([asked.verdict, asked.remember], ['ask', ['exact']]);
      assert.match(asked.warning ?? '', /The MCP server a is a program outside of the sandbox|are sent to the MCP server b/);
      assert.deepEqual([decide({ zone: 'verify', ...request }, noGrants).verdict, decide({ zone: 'zero', ...request }, noGrants).verdict], ['deny', 'deny']);
      const all = { allows: () => true, changedSince: () => [], allowsTool: () => undefined };
      assert.equal(decide({ zone: 'full', ...request }, all).verdict, 'ask', 'plain commands that are allowed are not servers');
      assert.equal(decide({ zone: 'full', ...request }, { ...noGrants, allowsTool: (identity) => (identity === reach.tool ? 'always' : undefined) }).reason, 'Your settings allow exactly this tool.');
    }
  });

  test('a yes for the session is for this tool alone, and can be taken back', () => {
    const grants = new SessionGrants();
    const approval: Approval = { id: 'a', kind: 'tool', server: 's', tool: 'x', identity: 'one', arguments: '{}', remember: ['exact'] };
    assert.equal(grants.remember('f', { ...approval, remember: [] }, 'exact'), false);
    assert.equal(grants.remember('f', approval, 'session'), false);
    assert.ok(grants.remember('f', approval, 'exact'));
    const held = grants.of('f');
    assert.deepEqual([held.allowsTool('one'), held.allowsTool('two'), held.allows('network'), held.allows('execute'), grants.of('g').allowsTool('one')], ['session', undefined, false, false, undefined]);
    assert.ok(grants.remember('f', { ...approval, identity: 'two' }, 'exact'));
    grants.revoke(grants.all[0]!);
    assert.deepEqual([held.allowsTool('one'), held.allowsTool('two')], [undefined, 'session']);
  });

  test('a cold start is told apart from the time of the tool, and one that fails is the result', async () => {
    const time = new FakeTime();
    const { all, port } = made([tool('s', 'x')]);
    port.start = async () => { await Promise.resolve(); time.advance(3_000); };
    const ran = await run({ time, tools: all, replies: [calls(call('mcp_s_x', { value: 'v' })), answer('Done.')] });
    assert.deepEqual([only(ran.events, 'serverStarted').map(({ coldMs }) => coldMs), only(ran.events, 'toolFinished').map(({ toolMs, outcome }) => [toolMs, outcome])], [[3_000], [[0, 'ok']]]);
    port.start = async () => { await Promise.resolve(); time.advance(2_000); throw failure('mcp.ended', 'It ended.', 'Look.'); };
    const failed = await run({ time: new FakeTime(), tools: all, replies: [calls(call('mcp_s_x', { value: 'w' })), answer('Done.')], turnId: 'again' });
    assert.deepEqual(only(failed.events, 'serverStarted').map(({ server, problem, hop }) => [server, problem, hop]), [['s', 'It ended.', 1]]);
    assert.match(only(failed.events, 'toolFinished')[0]?.result ?? '', /^Error: It ended\./);
  });

  test('servers that start for a turn are told before its first hop; without them it goes on', async () => {
    const { all } = made([tool('s', 'x')]);
    const ran = await run({ tools: [echo()], serverTools: () => Promise.resolve({ tools: all, starts: [{ server: 's', coldMs: 0 }, { server: 't', coldMs: 0, problem: 'It ended.' }] }), replies: [calls(call('mcp_s_x', {})), answer('Done.')] });
    assert.deepEqual(only(ran.events, 'serverStarted').map(({ server, problem }) => [server, problem]), [['s', undefined], ['t', 'It ended.']]);
    assert.equal(ran.result.gate, 'answered');
    const without = await run({ serverTools: () => Promise.reject(new Error('disk full')), replies: [answer('Done.')] });
    assert.deepEqual([without.result.gate, only(without.events, 'serverStarted')[0]?.problem], ['answered', 'disk full']);
    let asked = 0;
    await run({ zone: 'zero', serverTools: () => { asked++; return Promise.resolve({ tools: all, starts: [] }); }, replies: [answer('Done.')] });
    assert.equal(asked, 0, 'nothing of servers where nobody is there to ask');
  });
});
