import type { ReactNode } from 'react';
import { Icon } from './Icon';
import parts from './parts.module.css';
import css from './show.module.css';

export type Tone = 'good' | 'warn' | 'bad' | 'plain';

interface Props {
  tone: Tone;
  title: string;
  children?: ReactNode;
}

export function Notice({ tone, title, children }: Props) {
  return (
    <div className={css.notice} data-tone={tone} role={tone === 'bad' ? 'alert' : 'status'}>
      <Icon name={tone === 'good' ? 'check' : 'warning'} />
      <div className={parts.grow}>
        <div className={css.noticeTitle}>{title}</div>
        {children}
      </div>
    </div>
  );
}
