const parcels: object[] = [];

export function saveParcel(parcel: object): void {
  parcels.push(parcel);
}

export function countParcels(): number {
  return parcels.length;
}
