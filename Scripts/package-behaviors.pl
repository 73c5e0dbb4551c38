#!/usr/bin/perl
# Turns Debian package indexes into input for encoder: texts, items and behaviours.
#
#   package-behaviors.pl OUTPUT SHARE PACKAGES... -- TRANSLATIONS...
#
# An item is a binary package, its text the package's description. A user is a source package, and its
# behaviours are the packages of other sources that its own packages need: the first alternative of each
# term of Pre-Depends, Depends and Recommends. SHARE percent of the source packages, chosen by a hash of
# the name, are users. An item counts that at least 2 users need and at most a fifth of them (the C library
# says nothing about anybody), and a user needs 3 items that count.
#
# Writes OUTPUT/corpus.txt (every description of the index, one a line), OUTPUT/items.csv
# (item_id,text,section) and OUTPUT/behaviors.csv (user_id,item_id,label), and prints what it counted.
# Runs on perl-base, which every Debian has.
use strict;
use warnings;

my ($output, $share, @files) = @ARGV;
my (@packages, @translations);
my $list = \@packages;
for my $file (@files) {
  if ($file eq '--') { $list = \@translations } else { push @$list, $file }
}
die "usage: $0 OUTPUT SHARE PACKAGES... -- TRANSLATIONS...\n"
  unless @packages && @translations && $share =~ /^\d+$/ && $share >= 1 && $share <= 100;

# Descriptions by their checksum, as the package indexes name them: several versions of a package share one.
my %description;
for my $file (@translations) {
  each_stanza($file, sub {
    my ($stanza) = @_;
    $description{$stanza->{'Description-md5'}} //= text($stanza->{'Description-en'})
      if defined $stanza->{'Description-md5'} && defined $stanza->{'Description-en'};
  });
}

# The first index that has a package decides.
my (%source, %section, %text, %needs);
for my $file (@packages) {
  each_stanza($file, sub {
    my ($stanza) = @_;
    my $name = $stanza->{Package};
    return if !defined $name || exists $source{$name};
    # "Source: name (version)", and no field where the source has the package's name.
    ($source{$name}) = ($stanza->{Source} // $name) =~ /^(\S+)/;
    # "contrib/games" is the section games.
    ($section{$name}) = ($stanza->{Section} // 'unknown') =~ m{([^/]+)$};
    my $md5 = $stanza->{'Description-md5'};
    my $words = defined $md5 ? $description{$md5} : undef;
    $words //= text($stanza->{Description}) if defined $stanza->{Description};
    $text{$name} = $words if defined $words && $words ne '';
    for my $field ('Pre-Depends', 'Depends', 'Recommends') {
      next unless defined $stanza->{$field};
      for my $term (split /,/, $stanza->{$field}) {
        my ($first) = $term =~ /^\s*([a-z0-9][a-z0-9+.-]+)/;
        push @{ $needs{$name} }, $first if defined $first;
      }
    }
  });
}

# What each source package needs of others.
my (%behaviors, %users_of);
for my $name (keys %needs) {
  my $user = $source{$name};
  next if hash($user) % 100 >= $share;
  for my $item (@{ $needs{$name} }) {
    next if !exists $text{$item} || $source{$item} eq $user || $behaviors{$user}{$item};
    $behaviors{$user}{$item} = 1;
    $users_of{$item}++;
  }
}
my (%items, $users, $rows);
my $most = 0.2 * keys %behaviors;
open my $behavior_file, '>', "$output/behaviors.csv" or die "$output/behaviors.csv: $!\n";
print $behavior_file "user_id,item_id,label\n";
for my $user (sort keys %behaviors) {
  my @kept = grep { $users_of{$_} >= 2 && $users_of{$_} <= $most } sort keys %{ $behaviors{$user} };
  next if @kept < 3;
  $users++;
  $rows += @kept;
  $items{$_} = 1 for @kept;
  print $behavior_file "$user,$_,1\n" for @kept;
}
close $behavior_file or die "$output/behaviors.csv: $!\n";
die "the package indexes hold no package that needs others\n" unless $rows;

open my $item_file, '>', "$output/items.csv" or die "$output/items.csv: $!\n";
print $item_file "item_id,text,section\n";
print $item_file join(',', $_, quoted($text{$_}), quoted($section{$_})), "\n" for sort keys %items;
close $item_file or die "$output/items.csv: $!\n";

my %seen;
my @corpus = grep { !$seen{$_}++ } map { $text{$_} } sort keys %text;
open my $corpus_file, '>', "$output/corpus.txt" or die "$output/corpus.txt: $!\n";
print $corpus_file "$_\n" for @corpus;
close $corpus_file or die "$output/corpus.txt: $!\n";

printf "%d texts in %s/corpus.txt\n", scalar @corpus, $output;
printf "%d items in %s/items.csv\n", scalar keys %items, $output;
printf "%d behaviours of %d users in %s/behaviors.csv\n", $rows, $users, $output;

# Calls back with each stanza as a table of its fields; continuation lines keep their line ends.
sub each_stanza {
  my ($file, $call) = @_;
  # apt's own reader knows every compression that apt stores lists in.
  open my $in, '-|', '/usr/lib/apt/apt-helper', 'cat-file', $file or die "$file: $!\n";
  my (%stanza, $field);
  while (my $line = <$in>) {
    chomp $line;
    if ($line eq '') {
      $call->(\%stanza) if %stanza;
      (%stanza, $field) = ();
    } elsif ($line =~ /^[ \t]/) {
      $stanza{$field} .= "\n$line" if defined $field;
    } elsif ($line =~ /^([^:\s]+):\s*(.*)/) {
      $field = $1;
      $stanza{$field} = $2;
    }
  }
  $call->(\%stanza) if %stanza;
  close $in or die "$file: apt can't read it\n";
}

# "short line. The long description": one line, without the dots that stand for empty lines.
sub text {
  my ($short, @long) = split /\n/, $_[0];
  my $text = join ' ', grep { !/^\s*\.\s*$/ } @long;
  $text = $text eq '' ? $short : "$short. $text";
  $text =~ s/\s+/ /g;
  $text =~ s/^ | $//g;
  return $text;
}

sub quoted {
  my ($value) = @_;
  return $value unless $value =~ /[",\r\n]/;
  $value =~ s/"/""/g;
  return "\"$value\"";
}

# FNV-1a, 32 bits: the same users on every machine.
sub hash {
  my $hash = 2166136261;
  $hash = (($hash ^ ord) * 16777619) & 0xffffffff for split //, $_[0];
  return $hash;
}
