"""A file system of its own for a measurement."""

import os
import shutil
import subprocess
import tempfile


class NewDisk:
    """An ext4 in a file, mounted at `path`; root only. On one where files were deleted by the ten thousand within the
    last six minutes, as every round of a bench does, ext4 tries each of their inodes before it takes a new one (its
    recently_deleted), and ten thousand new files cost ten seconds instead of one."""

    def __init__(self, gigabytes=3):
        self.directory = tempfile.mkdtemp(prefix="certrebind-disk-")
        self.path = f"{self.directory}/mounted"
        os.mkdir(self.path)
        image = f"{self.directory}/image"
        with open(image, "wb") as file:
            file.truncate(gigabytes << 30)
        run("mkfs.ext4", "-q", "-F", image)
        # Without a page cache of its own below that of the file system.
        self.device = run("losetup", "--find", "--show", "--direct-io=on", image)
        run("mount", self.device, self.path)

    def end(self):
        run("umount", "--lazy", self.path)  # a server that has ended may still free its memory
        run("losetup", "--detach", self.device)
        shutil.rmtree(self.directory)


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
