import { type ReactNode, useEffect } from 'react';
import { Link } from 'react-router';
import { Icon } from './Icon';
import css from './parts.module.css';

interface Props {
  title: string;
  /** One line under the title. */
  about?: ReactNode;
  /** Where the arrow leads. */
  back?: { to: string; label: string };
  badge?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

export function Page({ title, about, back, badge, actions, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Weir`;
  }, [title]);
  return (
    <div className={css.page}>
      <header className={css.head}>
        <div className={css.grow}>
          {back !== undefined && (
            <Link to={back.to} className={css.back}>
              <Icon name="left" size={12} />
              {back.label}
            </Link>
          )}
          <h1 className={css.title}>
            <span>{title}</span>
            {badge}
          </h1>
          {about !== undefined && <div className={css.about}>{about}</div>}
        </div>
        <div className={css.actions}>{actions}</div>
      </header>
      {children}
    </div>
  );
}

interface SectionProps {
  title: string;
  about?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  /** Without a frame: for what draws its own, such as a table. */
  bare?: boolean;
}

export function Section({ title, about, actions, children, bare = false }: SectionProps) {
  return (
    <section className={css.section}>
      <header className={css.sectionHead}>
        <h2 className={css.sectionTitle}>{title}</h2>
        {about !== undefined && <div className={css.small}>{about}</div>}
        <div className={css.actions}>{actions}</div>
      </header>
      {bare ? children : <div className={`${css.panel} ${css.card}`}>{children}</div>}
    </section>
  );
}
