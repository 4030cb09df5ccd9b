// The Idempotency-Key of a form: the same words sent again, after a lost answer or by a second press, are the same request.
import { useRef } from 'react';
import { randomId } from './ids';

export function useRequestKey(): (said: unknown) => string {
  const last = useRef({ said: '', key: '' });
  return (said) => {
    const words = JSON.stringify(said);
    if (last.current.key === '' || last.current.said !== words) last.current = { said: words, key: randomId() };
    return last.current.key;
  };
}
