import { priceOf } from '../billing/price.js';
import { saveParcel } from '../storage/parcels.js';

export function handle(path: string, body: { weightKg: number; zone: string; fragile: boolean }): number {
  if (path !== '/parcels') throw new Error(`no such path: ${path}`);
  saveParcel(body);
  return priceOf(body);
}
