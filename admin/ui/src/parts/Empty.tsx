import type { ReactNode } from 'react';
import css from './parts.module.css';

/** Nothing is here, and what to do about it. */
export function Empty({
  title,
  text,
  children,
}: {
  /** Left out where the page's own title says it. */
  title?: string;
  text?: string | undefined;
  children?: ReactNode;
}) {
  return (
    <div className={css.empty}>
      {title !== undefined && <div className={css.emptyTitle}>{title}</div>}
      {text !== undefined && <div className={css.emptyText}>{text}</div>}
      {children}
    </div>
  );
}
