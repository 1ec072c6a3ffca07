// Reproducible random numbers as the bytes of tensors: the same on every machine.

/** 32 random bits at a time: Marsaglia's xorshift, https://www.jstatsoft.org/article/view/v008i14. The seed is a text. */
export function randomBits(seed) {
  let state = 0x811c9dc5; // FNV-1a of the text
  for (const byte of Buffer.from(seed)) state = Math.imul(state ^ byte, 0x01000193) >>> 0;
  state ||= 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>>= 0);
  };
}

/** Nearest half-precision value, ties to the even one, as its bits. Only for what is neither infinite nor NaN. */
export function halfBits(value) {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  // Below 2^-14 the steps are those of 2^-14.
  const exponent = Math.max(size === 0 ? -14 : Math.floor(Math.log2(size)), -14);
  const steps = roundToEven(size / 2 ** (exponent - 10)); // 1024 to 2048 of them for a normal number
  return sign | (steps + (exponent + 14) * 1024);
}

function roundToEven(x) {
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}

/** Sums of four uniform values have quantiles close to those of the normal distribution, without its far tail, and need no logarithm. */
function nearlyNormal(bits) {
  const high = bits(), low = bits();
  const sum = (high & 0xffff) + (high >>> 16) + (low & 0xffff) + (low >>> 16);
  return (sum / 65536 - 2) * Math.sqrt(3);
}

/** `count` half-precision values of mean 0 and standard deviation `deviation`. */
export function normalF16(seed, count, deviation) {
  const bits = randomBits(seed);
  // Drawn from a table: 16 bits choose the value, so a tensor of some millions takes some ten milliseconds.
  const table = Uint16Array.from({ length: 65536 }, () => halfBits(nearlyNormal(bits) * deviation));
  const values = new Uint16Array(count);
  for (let i = 0; i < count; i += 2) {
    const two = bits();
    values[i] = table[two & 0xffff];
    if (i + 1 < count) values[i + 1] = table[two >>> 16];
  }
  return Buffer.from(values.buffer);
}

/** `count` single-precision values: `middle` times e^x, with x of standard deviation `spread`. */
export function logNormalF32(seed, count, middle, spread) {
  const bits = randomBits(seed);
  return constantF32(Array.from({ length: count }, () => middle * Math.exp(spread * nearlyNormal(bits))));
}

export const constantF32 = values => Buffer.from(Float32Array.from(values).buffer);
