// Why something failed, in the server's words. Where they name a setting, the way to the settings stands beside it.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { setupQuery } from '../data/queries';

interface FailureTextProps {
  text: string;
  /** The same text as it is to be shown, when it is not to stand as it is. */
  children?: ReactNode;
}

export function FailureText({ text, children = text }: FailureTextProps) {
  const { data } = useQuery(setupQuery());
  const variable = data?.items.map((item) => item.variable).find((name) => new RegExp(`\\b${name}\\b`).test(text));
  if (variable === undefined) return <>{children}</>;
  return (
    <>
      {children}{' '}
      <Link to="/system" hash="setup">
        Where {variable} is set
      </Link>
    </>
  );
}
