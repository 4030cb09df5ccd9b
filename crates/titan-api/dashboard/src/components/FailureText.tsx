// Why something failed, in the server's words. Where they name a setting, the way to the settings stands beside it.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { setupQuery } from '../data/queries';

export function FailureText({ text }: { text: string }) {
  const { data } = useQuery(setupQuery());
  const variable = data?.items.map((item) => item.variable).find((name) => new RegExp(`\\b${name}\\b`).test(text));
  if (variable === undefined) return <>{text}</>;
  return (
    <>
      {text}{' '}
      <Link to="/system" hash="setup">
        Where {variable} is set
      </Link>
    </>
  );
}
