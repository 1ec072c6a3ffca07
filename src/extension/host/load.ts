/** A bundled import is evaluated without giving way: this gives way before each. */
export async function load<T>(module: () => Promise<T>): Promise<T> {
  await new Promise((resolve) => setImmediate(resolve));
  return module();
}
