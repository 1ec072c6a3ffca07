export function add(a: number, b: number): number {
  
}

export function subtract(a: number, b: number): number {
  
}

export function isEven(n: number): boolean {
  
}
