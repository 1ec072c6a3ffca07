export const greeting = 'Welcome to the parcel desk';
