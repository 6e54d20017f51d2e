/** Flags of GNU tar for an archive that depends only on the names, modes and bytes of files. */
export const tarFlags = ['--format=gnu', '--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'];
