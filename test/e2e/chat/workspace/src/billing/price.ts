import { zoneFactor } from './zones.js';

export interface Parcel {
  weightKg: number;
  zone: string;
  fragile: boolean;
}

const baseFee = 3.5;
const feePerKg = 1.2;

/** Price of a parcel in euros, rounded to cents. */
export function priceOf(parcel: Parcel): number {
  const plain = baseFee + parcel.weightKg * feePerKg;
  const surcharge = parcel.fragile ? 2 : 0;
  return Math.round((plain * zoneFactor(parcel.zone) + surcharge) * 100) / 100;
}
