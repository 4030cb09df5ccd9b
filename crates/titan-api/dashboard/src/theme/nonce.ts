// The nonce that lets Mantine's style tags pass the content policy. The server writes it into index.html per request.
import { setNonce } from 'get-nonce';

const PLACEHOLDER = '__CSP_NONCE__';

export function readNonce(): string | undefined {
  const content = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content;
  return content && content !== PLACEHOLDER ? content : undefined;
}

/** The scroll lock of dialogs adds a style tag of its own and asks `get-nonce` for the value. */
export function shareNonce(nonce: string | undefined): void {
  if (nonce !== undefined) setNonce(nonce);
}
