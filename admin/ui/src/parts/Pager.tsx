import { ActionIcon } from '@mantine/core';
import css from './DataTable.module.css';
import { count } from './format';
import { Icon } from './Icon';
import parts from './parts.module.css';

interface Props {
  page: number;
  size: number;
  total: number;
  onPage: (page: number) => void;
}

export function Pager({ page, size, total, onPage }: Props) {
  const pages = Math.max(1, Math.ceil(total / size));
  const from = total === 0 ? 0 : (page - 1) * size + 1;
  return (
    <nav className={`${parts.small} ${css.pager}`} aria-label="Pages of the list">
      <span>
        {count(from)}–{count(Math.min(page * size, total))} of {count(total)}
      </span>
      <ActionIcon aria-label="Previous page" disabled={page <= 1} onClick={() => onPage(page - 1)}>
        <Icon name="left" size={14} />
      </ActionIcon>
      <ActionIcon aria-label="Next page" disabled={page >= pages} onClick={() => onPage(page + 1)}>
        <Icon name="right" size={14} />
      </ActionIcon>
    </nav>
  );
}
