// The package ships these types but does not export them.
declare module 'tinykeys' {
  export type KeyBindingMap = Record<string, (event: KeyboardEvent) => void>;
  export function tinykeys(target: Window | HTMLElement, bindings: KeyBindingMap): () => void;
}
