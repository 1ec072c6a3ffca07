import { strict as assert } from 'node:assert';
import { kvGrowingBytes } from '../../src/model/fit.js';
import { readGguf } from '../../src/model/gguf.js';
import { everyFormat, resolveKv } from '../../src/model/kvPresets.js';
import { modelShape } from '../../src/model/modelShape.js';
import { gemma4Files } from '../support/model/gemma4.js';
import { loadParams, value, Workplace } from '../support/sidecar/harness.js';

/** The way that a user's Gemma 4 takes: through the sidecar, in the default preset. Files with the attention of the real models and random weights. */
suite('memory audit of Gemma 4 in the sidecar', () => {
  for (const name of ['gemma4-e2b', 'gemma4-26b-a4b']) {
    test(`${name}: layers, storage and bytes are those of its header`, async () => {
      const modelPath = await (await gemma4Files()).ensureGemma4(name);
      const header = await readGguf(modelPath);
      assert.ok(header.ok);
      const shape = modelShape(header.value)!;
      const place = await Workplace.make();
      try {
        const client = place.client();
        const loaded = value(await client.load({ ...loadParams('gemma', { contextSize: 4096 }), modelPath, kvPreset: 'balanced' }));
        const { format } = resolveKv('balanced', shape, everyFormat);
        assert.deepEqual(loaded.kv, format);
        const audit = value(await client.audit('chat'));
        assert.deepEqual([audit.layers.global, audit.layers.slidingWindow, audit.layers.window], [shape.kv.global.layers, shape.kv.local.layers, shape.kv.window]);
        assert.equal(audit.bytesPerTokenGrowing, kvGrowingBytes(shape.kv, format));
        const balanced = audit.presets.find(({ preset }) => preset === 'balanced');
        assert.ok(balanced && Math.abs(balanced.bytesTotal - audit.bytesTotal) < audit.bytesTotal * 0.01, `${balanced?.bytesTotal} computed, ${audit.bytesTotal} allocated`);
        const sizes = audit.presets.map(({ bytesPerToken }) => bytesPerToken);
        assert.deepEqual(sizes, [...sizes].sort((a, b) => b - a), 'each preset takes less than the one before');
      } finally {
        await place.end();
      }
    });
  }
});
