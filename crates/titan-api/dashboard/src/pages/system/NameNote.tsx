// What stands beside the name of a model. `auto` is no model: it stands for whatever the server lists first.
import table from '../../components/Table.module.css';

export function NameNote({ model }: { model: string }) {
  if (model !== 'auto') return null;
  return <span className={table.muted}> the first that the server lists</span>;
}
