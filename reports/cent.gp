# cent.csv: bar,name,part,from,to,usd,colour,text
set xlabel 'USD per million jobs'
set yrange [-0.6:BARS - 0.4]
set xrange [0:*]
set ytics () scale 0
set for [i=0:BARS - 1] ytics add (word(NAMES, i + 1) i)
set key off
plot 'cent.csv' using ($4):($1):4:5:($1 - 0.33):($1 + 0.33):7 with boxxy fs solid 1 border rgb '#ffffff' lc rgb variable, \
     '' using (($4 + $5) / 2):1:8 with labels font ',11' textcolor rgb '#111111'
