import { Button, SegmentedControl } from '@mantine/core';
import type { SettingField } from '@/api/answers';
import { useParams } from '@/parts/params';
import css from '@/parts/parts.module.css';
import { SearchBox } from '@/parts/SearchBox';
import { Routing } from './Routing';
import { SettingsTable } from './SettingsTable';

const SECTIONS = ['general_settings', 'litellm_settings', 'router_settings', 'weir_settings'];

const labelOf = (section: string) => section.replace('_settings', '');

export function Configuration() {
  const [params, set] = useParams({ section: SECTIONS[0] ?? '', q: '' });
  const found = (row: SettingField) =>
    `${row.field_name} ${row.field_description}`.toLowerCase().includes(params.q.toLowerCase());
  return (
    <div className={css.form}>
      <div className={css.filters}>
        <SegmentedControl
          aria-label="Section"
          data={SECTIONS.map((value) => ({ value, label: labelOf(value) }))}
          value={params.section}
          onChange={(section) => set({ section })}
        />
        <SearchBox label="Find a setting" value={params.q} onChange={(q) => set({ q })} />
      </div>
      {params.section === 'router_settings' && <Routing />}
      <SettingsTable
        section={params.section}
        wanted={found}
        elsewhere={
          <div className={css.filters}>
            {SECTIONS.filter((section) => section !== params.section).map((section) => (
              <Button key={section} variant="default" onClick={() => set({ section })}>
                Look in {labelOf(section)}
              </Button>
            ))}
          </div>
        }
      />
    </div>
  );
}
