/** Waits between tries, in milliseconds: doubles from 200 up to 5,000. */
export function backoffDelay(attempt: number): number {
  return Math.min(5000, 200 * 2 ** attempt);
}

export async function withRetry<T>(work: () => Promise<T>, tries = 4): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt + 1 >= tries) throw error;
      await new Promise((resolve) => setTimeout(resolve, backoffDelay(attempt)));
    }
  }
}
