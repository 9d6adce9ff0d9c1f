import type { SettingField, SettingSource } from '@/api/answers';
import css from '@/parts/parts.module.css';
import { Chip, Status } from '@/parts/Status';

/** A place in words: `config.yaml:12`, `REDIS_HOST`, `REDIS_HOST, config.yaml:12`, `ledger`, `default`. */
export function placeOf({ from, file, line, variable }: SettingSource): string {
  const written = file && `${file.split('/').pop()}:${line}`;
  return [variable, written].filter(Boolean).join(', ') || from;
}

/** Where a setting is set, and what is written elsewhere and does not count. */
export function Source({ of: { source, drift } }: { of: SettingField }) {
  const place = placeOf(source);
  return (
    <>
      {source.from === 'default' ? <span className={css.dim}>{place}</span> : <Chip>{place}</Chip>}
      {drift !== null && (
        <div>
          <Status tone="warn">
            {placeOf(drift.source)} says <code className={css.code}>{JSON.stringify(drift.field_value)}</code>
          </Status>
        </div>
      )}
    </>
  );
}
