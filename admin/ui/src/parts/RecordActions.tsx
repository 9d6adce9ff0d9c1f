import { Button, Menu } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useNavigate } from 'react-router';
import { Confirm } from './Confirm';

interface Props {
  kind: string;
  name: string;
  edit: (close: () => void) => ReactNode;
  /** For what can be blocked. */
  block?: { blocked: boolean; run: () => Promise<unknown>; means: string };
  /** For what can be deleted here. */
  remove?: { run: () => Promise<unknown>; means: string; to: string };
  /** More in the menu, such as an invitation. */
  more?: { label: string; form: (close: () => void) => ReactNode };
}

/** Edit, block and delete: the same on the page of every record. */
export function RecordActions({ kind, name, edit, block, remove, more }: Props) {
  const [doing, setDoing] = useState<'edit' | 'block' | 'delete' | 'more' | null>(null);
  const navigate = useNavigate();
  const done = () => setDoing(null);
  const blockLabel = block?.blocked ? 'Unblock' : 'Block';
  return (
    <>
      {more !== undefined && (
        <Button variant="default" onClick={() => setDoing('more')}>
          {more.label}
        </Button>
      )}
      <Button variant="default" onClick={() => setDoing('edit')}>
        Edit
      </Button>
      {(block ?? remove) !== undefined && (
        <Menu>
          <Menu.Target>
            <Button variant="default">More</Button>
          </Menu.Target>
          <Menu.Dropdown>
            {block !== undefined && <Menu.Item onClick={() => setDoing('block')}>{blockLabel}</Menu.Item>}
            {remove !== undefined && (
              <Menu.Item color="red" onClick={() => setDoing('delete')}>
                Delete
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      )}
      {doing === 'edit' && edit(done)}
      {doing === 'more' && more?.form(done)}
      {doing === 'block' && block !== undefined && (
        <Confirm
          title={`${blockLabel} this ${kind}?`}
          action={blockLabel}
          danger={!block.blocked}
          run={block.run}
          onClose={done}
        >
          {block.means}
        </Confirm>
      )}
      {doing === 'delete' && remove !== undefined && (
        <Confirm
          title={`Delete this ${kind}?`}
          name={name}
          action="Delete"
          run={() => remove.run().then(() => navigate(remove.to))}
          onClose={done}
        >
          {remove.means} What was spent stays in the books.
        </Confirm>
      )}
    </>
  );
}
