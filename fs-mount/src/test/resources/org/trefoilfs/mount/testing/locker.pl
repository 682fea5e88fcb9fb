# A process that opens files and locks them, as it is told on standard input, line by line:
#   open NAME PATH · close NAME · read NAME COUNT · write NAME TEXT
#   flock NAME sh|ex|un [nb]
#   posix|ofd NAME r|w|u START LENGTH [wait] · getlk NAME r|w START LENGTH
# Each is answered by a line: "ok", with what was found, or "errno N". SIGUSR1 does nothing but
# interrupt. LENGTH 0 is to the end of the file; struct flock is that of 64-bit Linux.
use strict;
use warnings;
use Fcntl qw(:DEFAULT :flock);

my %files;
my %commands = (posix => [6, 7], ofd => [37, 38]);
my %types = (r => 0, w => 1, u => 2);
my %flocks = (sh => LOCK_SH, ex => LOCK_EX, un => LOCK_UN);

sub range { pack('s! s! x4 q q i x4', $types{$_[0]}, 0, $_[1], $_[2], 0) }

sub result { $_[0] ? 'ok' : 'errno ' . ($! + 0) }

sub run {
  my ($verb, $name, @rest) = @_;
  if ($verb eq 'open') { return result(sysopen($files{$name}, $rest[0], O_RDWR | O_CREAT)) }
  if ($verb eq 'close') { return result(close(delete $files{$name})) }
  my $file = $files{$name};
  if ($verb eq 'read') {
    sysseek($file, 0, 0);
    my $count = sysread($file, my $text, $rest[0]);
    return defined $count ? "ok $text" : result(0);
  }
  if ($verb eq 'write') { return result(syswrite($file, $rest[0])) }
  if ($verb eq 'flock') {
    return result(flock($file, $flocks{$rest[0]} | ($rest[1] ? LOCK_NB : 0)));
  }
  if ($verb eq 'getlk') {
    my $lock = range(@rest);
    fcntl($file, 5, $lock) or return result(0);
    my ($type, $whence, $start, $length, $pid) = unpack('s! s! x4 q q i', $lock);
    return $type == 2 ? 'ok free' : "ok $type $start $length $pid";
  }
  my $command = $commands{$verb}[$rest[3] ? 1 : 0];
  return result(fcntl($file, $command, range(@rest)));
}

$SIG{USR1} = sub { };
$| = 1;
while (my $line = <STDIN>) {
  print run(split(' ', $line)), "\n";
}
